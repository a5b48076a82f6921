const { PATH = "", NODE_COMPILE_CACHE } = process.env;

/**
 * Environment of a process that is traced. Nothing of tap's: its loaders would write to the same descriptors. What a run of many tests has
 * compiled is loaded, for each of these processes does little else than load.
 */
export const tracedEnvironment = NODE_COMPILE_CACHE === undefined ? { PATH } : { PATH, NODE_COMPILE_CACHE };
