/** A proxy's login, `user:password`, bytes: servers take header lines of 4 to 8 KB, and base64 adds a third. */
export const maxLoginBytes = 1_024;
