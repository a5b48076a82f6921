export { modulesFor } from "./modules-for.ts";
