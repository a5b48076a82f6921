import { isAbsolute } from "node:path";
import { z } from "zod";

const form = "an absolute path, such as /etc/tidegate/siem-ca.pem";

/** A file that a configuration names: whole, for the folder that a node is started in says nothing, and is another one under a service manager. */
export const filePath = z.string({ error: form }).min(1).max(4096).refine(isAbsolute, form);
