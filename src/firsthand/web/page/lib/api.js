// The server: requests that give JSON, and one WebSocket for what is live.

/** A request that failed; its message is one line for people. */
export class ApiError extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

const SILENT = "the lab's server does not answer: is `firsthand lab` still running?";

async function answered(response) {
  const body = response.status === 204 ? {} : await response.json().catch(() => ({}));
  if (!response.ok) throw new ApiError(body.error ?? `${response.status} ${response.statusText}`, response.status);
  return body;
}

async function request(path, options) {
  let response;
  try {
    response = await fetch(`/api/${path}`, options);
  } catch {
    throw new ApiError(SILENT, 0);
  }
  return answered(response);
}

export const get = (path) => request(path, {});

export const post = (path, body) =>
  request(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body ?? {}) });

export const put = (path) => request(path, { method: "PUT" });

export const remove = (path) => request(path, { method: "DELETE" });

/** Send a file or blob as it is. */
export const upload = (path, blob) =>
  request(path, { method: "POST", headers: { "Content-Type": "application/octet-stream" }, body: blob });

/** Lines of JSON as they come: `onmessage(object)` for each, until the answer or the signal ends it. */
export async function stream(path, body, onmessage, signal) {
  const options = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal };
  const response = await fetch(`/api/${path}`, options).catch((error) => {
    if (signal?.aborted) throw error;
    throw new ApiError(SILENT, 0);
  });
  if (!response.ok) await answered(response);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    lines.forEach((line) => onmessage(JSON.parse(line)));
  }
}

/** A WebSocket that comes back after it was lost: {send(message), close()}; onmessage gets parsed JSON. */
export function live(path, { onmessage, onopen, onlost }) {
  let socket;
  let closed = false;
  let wait = 250;
  const connect = () => {
    socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/api/${path}`);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      wait = 250;
      onopen?.();
    };
    socket.onmessage = (event) => onmessage(JSON.parse(event.data));
    socket.onclose = () => {
      if (closed) return;
      onlost?.();
      setTimeout(connect, wait);
      wait = Math.min(2 * wait, 5000);
    };
  };
  connect();
  return {
    /** An object goes as JSON, a buffer as it is; false where nothing is connected. */
    send(message) {
      if (socket.readyState !== WebSocket.OPEN) return false;
      socket.send(message instanceof ArrayBuffer ? message : JSON.stringify(message));
      return true;
    },
    close() {
      closed = true;
      socket.close();
    },
  };
}

/** Bytes of a base64 string. */
export const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
