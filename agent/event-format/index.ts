export { cefMessage, cefSyslogMessage } from "./cef.ts";
export { type EventFormat, eventOf, type ForwardedEvent, type Speaker } from "./event.ts";
export { jsonLine } from "./json-line.ts";
export { ocsfLine } from "./ocsf.ts";
export { type Severity, severities, severityOf } from "./severity.ts";
export { maxSyslogBytes, syslogMessage } from "./syslog.ts";
