export { changeOutline, type OutlineJob } from "./change-outline.ts";
