/** Bounds of what entries and facts say; SPEC.md states each. */
export const contentLimits = {
  /** Zone, then any grouping down to the account. */
  pathSegments: 5,
  /** One segment: a DNS label's length, so that a segment may be a host name. */
  segmentBytes: 63,
  /** Fields of one credential version; SNMPv3 with separate keys and contexts needs five. */
  fields: 8,
  /** One field's value: an RSA key of 4,096 bits in PEM is 3.3 KB. */
  fieldBytes: 4096,
  /** Names that people give to devices, models, applications. */
  nameBytes: 128,
  /** Login names; LDAP distinguished names are the longest in use. */
  usernameBytes: 256,
  /** RFC 1035 limit of a host name. */
  hostBytes: 253,
  /** Settings of one device: unit id, context, register overrides. */
  settings: 32,
  settingNameBytes: 64,
  settingValueBytes: 512,
  /** Maintenance windows of one device: four a day and some for holidays' eves. */
  windows: 32,
  /** The longest IANA name has 32. */
  timeZoneBytes: 64,
  /** Path patterns of one application. */
  grants: 256,
  /** A rotation each ten years, in seconds: beyond it "never" is meant. */
  intervalS: 315_360_000,
  /** Silence of the vault in a rule, seconds: ten years. */
  silenceS: 315_360_000,
  /** How long a person may use what they read before it is rotated, seconds: a walk to the panel and the work there. */
  personReadGraceS: 3600,
  /** A custom model's YAML; leaves room for the rest of a 64 KiB entry. */
  modelBytes: 60 * 1024,
  /** A node's own certificate and its issuers. */
  certificates: 4,
  /** One certificate, DER: ours have 600 bytes, a corporate one with many names a few thousand. */
  certificateBytes: 8 * 1024,
  /** States, outcomes and codes in facts. */
  wordBytes: 64,
  /** What an alarm is about, or what a device says it is. */
  subjectBytes: 512,
} as const;
