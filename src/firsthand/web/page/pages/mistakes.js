export const title = { en: "Mistakes", zh: "错例" };
export const about = { en: "Not built yet.", zh: "尚未完成。" };

export function mount() {
  return () => {};
}
