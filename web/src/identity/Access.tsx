import { may } from "../shell/session";
import { Agents } from "./Agents";
import { Inbox } from "./Inbox";
import { Mine } from "./Mine";
import "./identity.css";

/** What waits for a second person, agents on their leash, and where somebody is signed in. */
export default function Access() {
  return (
    <div className="access-screen">
      {may("approvals:read") && <Inbox />}
      {may("approvals:read") && <Agents />}
      <Mine />
    </div>
  );
}
