export { GENERATION_CODES, GenerationError } from "./codes.ts";
export { type Constraints, type FieldConstraint, parseConstraints } from "./constraints.ts";
export { checkFields, generateFields } from "./generate.ts";
