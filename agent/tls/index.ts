export { certificatesOf, isVouchedFor } from "./authorities.ts";
export { writeAuthorityFile } from "./authority-file.ts";
export { directBinding } from "./direct-binding.ts";
export { TLS_CODES, TlsError } from "./errors.ts";
export { clientTlsOptions, serverTlsOptions, type TlsKeys } from "./tls-options.ts";
