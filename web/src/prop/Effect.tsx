/** What a change would do, before it is done: as it is, and as it would be. */
import type { Change } from "./prices";

export function Effect({ rows, label }: { rows: readonly Change[]; label: string }) {
  if (!rows.length) return <p className="label" role="status">Nothing would change.</p>;
  const isNew = rows.every(({ now }) => now === null);
  return (
    <table className="diff" aria-label={label}>
      <thead><tr><th scope="col">{isNew ? "It would be" : "What changes"}</th>{!isNew && <th scope="col">Now</th>}<th scope="col">{isNew ? "" : "Then"}</th></tr></thead>
      <tbody>{rows.map(({ name, now, then }) => <tr key={name}><th scope="row">{name}</th>{!isNew && <td><del>{now ?? "–"}</del></td>}<td><ins>{then}</ins></td></tr>)}</tbody>
    </table>
  );
}
