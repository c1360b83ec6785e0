export const title = { en: "Draw", zh: "手写" };
export const about = { en: "Not built yet.", zh: "尚未完成。" };

export function mount() {
  return () => {};
}
