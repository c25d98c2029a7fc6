export { createHolder, type HolderOptions } from "./holder.ts";
