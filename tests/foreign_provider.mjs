// A provider of somebody else: node foreign_provider.mjs PORT HOUSE_URL, where oidc-provider is
// installed. It knows everybody, by any password; ada is in the group traders.
import { generateKeyPairSync } from "node:crypto";
import { Provider } from "oidc-provider";

const [port, house] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const key = { ...privateKey.export({ format: "jwk" }), kid: "first", alg: "RS256", use: "sig" };
const provider = new Provider(issuer, {
  jwks: { keys: [key] },
  clients: [
    {
      client_id: "fondaco",
      client_secret: "s&cret of the house",
      redirect_uris: [`${house}/oauth/external/corp/callback`],
      post_logout_redirect_uris: [`${house}/`],
    },
    {
      client_id: "robot",
      client_secret: "robot",
      grant_types: ["client_credentials"],
      redirect_uris: [],
      response_types: [],
    },
  ],
  claims: { openid: ["sub"], profile: ["preferred_username", "groups"] },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, preferred_username: id, groups: id === "ada" ? ["traders"] : [] }),
  }),
  features: {
    devInteractions: { enabled: true },
    clientCredentials: { enabled: true },
    rpInitiatedLogout: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_, resource) => ({
        scope: "orders:read orders:write",
        audience: resource,
        accessTokenTTL: 600,
        accessTokenFormat: "jwt",
      }),
    },
  },
  cookies: { keys: ["only for tests"] },
  pkce: { required: () => true },
});
provider.listen(Number(port), "127.0.0.1", () => console.log("ready"));
