export const title = { en: "Inside", zh: "内部" };
export const about = { en: "Not built yet.", zh: "尚未完成。" };

export function mount() {
  return () => {};
}
