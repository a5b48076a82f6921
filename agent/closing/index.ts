export { Closing } from "./closing.ts";
