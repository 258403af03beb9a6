import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "./kit/page.css";
import { localStorageColorSchemeManager, MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { forgetStoredCredential } from "./api/session";
import { readableColors, theme } from "./kit/theme";
import { Gate } from "./signin/Gate";

const schemeManager = localStorageColorSchemeManager({ key: "goclaw-color-scheme" });
const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");

forgetStoredCredential();
createRoot(root).render(
  <StrictMode>
    <MantineProvider
      colorSchemeManager={schemeManager}
      cssVariablesResolver={readableColors}
      defaultColorScheme="auto"
      theme={theme}
    >
      <Notifications limit={3} position="bottom-right" />
      <Gate />
    </MantineProvider>
  </StrictMode>,
);
