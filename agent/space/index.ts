export { defaultReserveMib } from "./limits.ts";
export { openSpace } from "./open-space.ts";
export { SpaceReserve, type SpaceReserveOptions } from "./space-reserve.ts";
export { type DiskSpace, diskSpaceAt, type SpaceStanding, SpaceWatch, type SpaceWatchOptions, spaceOf } from "./space-watch.ts";
