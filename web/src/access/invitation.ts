/** The link that somebody was sent who is let in. What is behind # is never sent to a server by itself. Pure, but for where the page is. */

export interface Invitation {
  tenant: string;
  user: string;
  code: string;
}

const LINK = /^#\/invited\/([a-z0-9][a-z0-9._-]{0,63})\/([a-z0-9][a-z0-9._-]{0,63})\/([\w-]{1,100})$/;

/** Null for everybody who comes otherwise. */
export function invitation(hash: string): Invitation | null {
  const [, tenant, user, code] = LINK.exec(hash) ?? [];
  return tenant && user && code ? { tenant, user, code } : null;
}
