export const title = { en: "Results", zh: "结果" };
export const about = { en: "Not built yet.", zh: "尚未完成。" };

export function mount() {
  return () => {};
}
