import { createFakeApiClient } from "../../src/client/index.ts";
import { testApiClient } from "./api-client.ts";

const client = createFakeApiClient();
testApiClient("fake client", () => client);
