import type { ACTOR_KINDS, AUDIT_ACTIONS, DetailKind, OUTCOMES, SUBJECT_KINDS } from "./actions.ts";

export type AuditAction = keyof typeof AUDIT_ACTIONS;
export type Outcome = (typeof OUTCOMES)[number];

export interface Actor {
  readonly kind: (typeof ACTOR_KINDS)[number];
  readonly id: string;
}

export interface Subject {
  readonly kind: (typeof SUBJECT_KINDS)[number];
  readonly id: string;
}

type ValueOf<Kind extends DetailKind> = Kind extends "text" ? string : Kind extends "uint" ? number : boolean;

/** The details that `Action` may have; each may be left out. */
export type DetailsOf<Action extends AuditAction> = {
  readonly [Field in keyof (typeof AUDIT_ACTIONS)[Action]]?: (typeof AUDIT_ACTIONS)[Action][Field] extends DetailKind
    ? ValueOf<(typeof AUDIT_ACTIONS)[Action][Field]>
    : never;
};

interface EventOf<Action extends AuditAction> {
  readonly action: Action;
  readonly actor: Actor;
  readonly subject: Subject;
  readonly outcome: Outcome;
  /** The error's code where the outcome is not `ok`. */
  readonly code?: string | null;
  readonly details?: DetailsOf<Action>;
}

/** What a part of a node says happened; the log adds index, time and node. Never holds a secret nor an unkeyed hash of one. */
export type AuditEvent = { readonly [Action in AuditAction]: EventOf<Action> }[AuditAction];
