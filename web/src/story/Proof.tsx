/** The inclusion proof of one entry: that it is in the journal under a root that others may have. */
import { useEffect, useState } from "react";
import { api, ok, type Schemas } from "../client/api";
import { noAnswer, Problem } from "../client/problem";
import { number } from "../kit/format";
import { may } from "../shell/session";
import "./entry.css";

export function Proof({ position, copy }: { position: number; copy: (text: string, said: string) => void }) {
  const [found, setFound] = useState<Schemas["Inclusion"] | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => {
    setFound(null);
    setProblem(null);
  }, [position]);
  const prove = async (): Promise<void> => {
    setProblem(null);
    try {
      setFound(await ok(api.GET("/api/journal/proof", { params: { query: { position } } })));
    } catch (error) {
      setProblem(error instanceof Problem ? error : noAnswer(error, false));
    }
  };
  if (!may("journal:read")) return <p className="label">A proof needs scope journal:read.</p>;
  return (
    <div className="proof">
      {!found && <button type="button" className="button" onClick={() => void prove()}>Prove that it is in the journal</button>}
      {problem && <p role="alert" className="wrong">{problem.message}</p>}
      {found && (
        <>
          <p>Entry {number(String(found.position))} is in the log of {number(String(found.size))} entries: {found.path.length} hashes lead to its root.</p>
          <p className="mono hash">{found.root}</p>
          <div className="row">
            <button type="button" className="button" onClick={() => copy(JSON.stringify(found), "Copied the proof: save it as proof.json.")}>Copy proof</button>
            <button type="button" className="button quiet" onClick={() => copy(`fondaco proof --verifier > verify.py && python verify.py proof.json ${found.root}@${found.size}`, "Copied the command.")}>Copy how to check it</button>
          </div>
          <p className="label">The checking program is one small file and needs nothing of this house.</p>
        </>
      )}
    </div>
  );
}
