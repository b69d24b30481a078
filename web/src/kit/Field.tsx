import { type InputHTMLAttributes, type ReactNode, useId } from "react";

interface FieldProps extends InputHTMLAttributes<HTMLInputElement> {
  label: string;
  unit?: ReactNode;
  /** What was understood, or what it is for. */
  said?: ReactNode;
  /** Why it cannot be so. */
  wrong?: string | null;
  end?: ReactNode;
}

export function Field({ label, unit, said, wrong, end, ...input }: FieldProps) {
  const id = useId();
  return (
    <div className="field">
      <span className="label">
        <label htmlFor={id}>{label}</label>
        {end}
      </span>
      <span className="in">
        <input id={id} aria-invalid={wrong ? true : undefined} aria-describedby={said || wrong ? `${id}-said` : undefined} {...input} />
        {unit && <span className="unit">{unit}</span>}
      </span>
      {(said || wrong) && <span id={`${id}-said`} className={`said ${wrong ? "wrong" : ""}`}>{wrong || said}</span>}
    </div>
  );
}

export function Select<T extends string>({ label, value, choices, onChange, said }: {
  label: string;
  value: T;
  choices: readonly (readonly [T, string])[];
  onChange: (value: T) => void;
  said?: ReactNode;
}) {
  const id = useId();
  return (
    <div className="field">
      <label className="label" htmlFor={id}>{label}</label>
      <span className="in">
        <select id={id} value={value} onChange={(event) => onChange(event.target.value as T)}>
          {choices.map(([each, name]) => <option key={each} value={each}>{name}</option>)}
        </select>
      </span>
      {said && <span className="said">{said}</span>}
    </div>
  );
}
