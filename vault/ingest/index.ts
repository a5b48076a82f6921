export { raiseAlarm } from "./alarms.ts";
export { INGEST_CODES, IngestError } from "./codes.ts";
export { type Ingested, ingestCarrier } from "./ingest-report.ts";
export { UnprovenWatch } from "./unproven-watch.ts";
