/** Bytes of the address in an enrolment code: a DNS name of 253 and a port. */
export const maxAddressBytes = 260;

/** Characters of an enrolment code's text, separators included; the longest name and address need about 800. */
export const maxCodeText = 1_024;
