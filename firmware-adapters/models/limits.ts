/** A model is a page of text; more is a mistake or an attack on the parser. */
export const maxModelBytes = 65_536;

/** Steps of one list of a recipe; the longest known sequence of a maker has nine. */
export const maxRecipeSteps = 32;

/** Side effects, citations, unproven facts and forbidden words of a model: each is read by a person. */
export const maxModelNotes = 32;

/** Characters of a note or a title. */
export const maxNoteLength = 500;

/** Characters of one secret field: the longest that a known device takes is 128. */
export const maxSecretLength = 256;

/** Settings of a model or of a device. */
export const maxSettings = 16;

/** Characters of one setting. */
export const maxSettingLength = 255;

/** The longest `wait`, `withinMs` or `settleMs`: the slowest known device takes four minutes to free its semaphore. */
export const maxWaitMs = 300_000;

/** Prompts of one change, and patterns of one list: the longest known dialogue asks three times, in some ten wordings. */
export const maxPrompts = 8;
export const maxPatterns = 32;

/** Characters of a pattern or a command. */
export const maxPatternLength = 200;
export const maxCommandLength = 1_000;

/** Registers of one value: what one request of FC16 can carry is 123, FC03 125. */
export const maxAsciiRegisters = 64;
