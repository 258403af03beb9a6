import { lazy, Suspense } from "react";
import { BrowserRouter, Navigate, Route, Routes, useLocation } from "react-router";
import { mountPath } from "../api/base";
import { ChatPage } from "../chat/ChatPage";
import { EmptyState } from "../kit/EmptyState";
import { ChatIcon } from "../kit/icons";
import { Loading } from "../kit/List";
import { Page } from "../kit/Page";
import { EventsProvider } from "../live/EventsProvider";
import { ErrorBoundary } from "./ErrorBoundary";
import { Shell } from "./Shell";

const AgentsPage = lazy(() => import("../agents/AgentsPage"));
const AgentPage = lazy(() => import("../agents/AgentPage"));
const ProvidersPage = lazy(() => import("../providers/ProvidersPage"));
const ProviderPage = lazy(() => import("../providers/ProviderPage"));
const KeysPage = lazy(() => import("../keys/KeysPage"));
const CronPage = lazy(() => import("../cron/CronPage"));
const ToolsPage = lazy(() => import("../tools/ToolsPage"));
const DelegationsPage = lazy(() => import("../delegations/DelegationsPage"));
const RunsPage = lazy(() => import("../runs/RunsPage"));
const UsagePage = lazy(() => import("../usage/UsagePage"));
const TracesPage = lazy(() => import("../traces/TracesPage"));
const TracePage = lazy(() => import("../traces/TracePage"));
const LivePage = lazy(() => import("../live/LivePage"));
const SessionsPage = lazy(() => import("../signin/SessionsPage"));
const SecurityPage = lazy(() => import("../security/SecurityPage"));
const ActivityPage = lazy(() => import("../activity/ActivityPage"));

export function App() {
  return (
    <BrowserRouter basename={mountPath}>
      <EventsProvider>
        <Shell>
          <Pages />
        </Shell>
      </EventsProvider>
    </BrowserRouter>
  );
}

function Pages() {
  const { pathname } = useLocation();
  return (
    <ErrorBoundary page={pathname}>
      <Suspense fallback={<PageLoading />}>
        <Routes>
          <Route element={<Navigate replace to="/chat" />} path="/" />
          <Route element={<ChatPage />} path="/chat/:sessionId?" />
          <Route element={<AgentsPage />} path="/agents" />
          <Route element={<AgentPage />} path="/agents/:id" />
          <Route element={<ProvidersPage />} path="/providers" />
          <Route element={<ProviderPage />} path="/providers/:id" />
          <Route element={<ToolsPage />} path="/tools" />
          <Route element={<KeysPage />} path="/keys" />
          <Route element={<CronPage />} path="/cron" />
          <Route element={<RunsPage />} path="/runs" />
          <Route element={<DelegationsPage />} path="/delegations" />
          <Route element={<TracesPage />} path="/traces" />
          <Route element={<TracePage />} path="/traces/:id" />
          <Route element={<UsagePage />} path="/usage" />
          <Route element={<LivePage />} path="/live" />
          <Route element={<ActivityPage />} path="/activity" />
          <Route element={<SecurityPage />} path="/security" />
          <Route element={<SessionsPage />} path="/sessions" />
          <Route element={<NoSuchPage />} path="*" />
        </Routes>
      </Suspense>
    </ErrorBoundary>
  );
}

function PageLoading() {
  return (
    <Page title="Loading">
      <Loading />
    </Page>
  );
}

function NoSuchPage() {
  return (
    <EmptyState icon={<ChatIcon size={40} />} title="There is no such page">
      Choose one from the menu.
    </EmptyState>
  );
}
