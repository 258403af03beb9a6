import { Button } from "@mantine/core";
import { Component, type ReactNode } from "react";
import { EmptyState } from "../kit/EmptyState";
import { AlertIcon } from "../kit/icons";

interface Props {
  /** Another page gets another chance. */
  page: string;
  children: ReactNode;
}

interface State {
  failedOn: string | null;
}

/** A page that cannot be shown, mostly as its file is gone after an update of the gateway. */
export class ErrorBoundary extends Component<Props, State> {
  override state: State = { failedOn: null };

  static getDerivedStateFromError(): Partial<State> {
    return { failedOn: "" };
  }

  override componentDidCatch(): void {
    this.setState({ failedOn: this.props.page });
  }

  override componentDidUpdate(): void {
    const { failedOn } = this.state;
    if (failedOn !== null && failedOn !== "" && failedOn !== this.props.page) {
      this.setState({ failedOn: null });
    }
  }

  override render(): ReactNode {
    if (this.state.failedOn === null) return this.props.children;
    return (
      <EmptyState
        action={<Button onClick={() => location.reload()}>Reload</Button>}
        icon={<AlertIcon size={40} />}
        title="This page could not be shown"
      >
        The gateway was updated or cannot be reached. Reload; if that does not help, check that `goclaw serve` is
        running.
      </EmptyState>
    );
  }
}
