export const title = { en: "Train", zh: "训练" };
export const about = { en: "Not built yet.", zh: "尚未完成。" };

export function mount() {
  return () => {};
}
