import type { ReactNode } from "react";

interface IconProps {
  size?: number;
}

/** Line icons on a 24 by 24 grid; decoration only, the name is always beside or on the control. */
function icon(children: ReactNode) {
  return function Icon({ size = 18 }: IconProps) {
    return (
      <svg
        aria-hidden="true"
        fill="none"
        height={size}
        stroke="currentColor"
        strokeLinecap="round"
        strokeLinejoin="round"
        strokeWidth={1.8}
        viewBox="0 0 24 24"
        width={size}
      >
        {children}
      </svg>
    );
  };
}

export const ChatIcon = icon(<path d="M4 5h16v11H10l-5 4v-4H4z" />);
export const AgentIcon = icon(
  <>
    <rect height="11" rx="3" width="16" x="4" y="8" />
    <path d="M12 8V4M9 13h.01M15 13h.01M10 16h4M2 13v2M22 13v2" />
  </>,
);
export const ProviderIcon = icon(
  <>
    <rect height="6" rx="1.5" width="16" x="4" y="4" />
    <rect height="6" rx="1.5" width="16" x="4" y="14" />
    <path d="M8 7h.01M8 17h.01M12 10v4" />
  </>,
);
export const KeyIcon = icon(
  <>
    <circle cx="8" cy="15" r="4" />
    <path d="m11 12 8-8M16 7l3 3M13.5 9.500l2 2" />
  </>,
);
export const TraceIcon = icon(<path d="M4 5h9M7 10h10M10 15h10M4 20h7" />);
export const LiveIcon = icon(
  <>
    <circle cx="12" cy="12" r="2" />
    <path d="M8 8a5.7 5.7 0 0 0 0 8M16 8a5.7 5.7 0 0 1 0 8M5 5a9.9 9.9 0 0 0 0 14M19 5a9.9 9.9 0 0 1 0 14" />
  </>,
);
export const ActivityIcon = icon(
  <>
    <circle cx="12" cy="12" r="8.5" />
    <path d="M12 7v5l3.5 2" />
  </>,
);
export const ClockIcon = icon(
  <>
    <rect height="15" rx="2.5" width="16" x="4" y="5.5" />
    <path d="M8 3v4M16 3v4M4 10h16M12 13v3l2 1" />
  </>,
);
export const SunIcon = icon(
  <>
    <circle cx="12" cy="12" r="4" />
    <path d="M12 3v1.500M12 19.500V21M3 12h1.500M19.5 12H21M5.6 5.600l1 1M17.4 17.400l1 1M5.6 18.400l1-1M17.4 6.600l1-1" />
  </>,
);
export const MoonIcon = icon(<path d="M20 14.500A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.500z" />);
export const AutoIcon = icon(
  <>
    <circle cx="12" cy="12" r="8.5" />
    <path d="M12 3.500v17" />
    <path d="M12 3.500a8.5 8.5 0 0 1 0 17z" fill="currentColor" />
  </>,
);
export const PlusIcon = icon(<path d="M12 5v14M5 12h14" />);
export const SendIcon = icon(<path d="M12 19V5M6 11l6-6 6 6" />);
export const StopIcon = icon(<rect fill="currentColor" height="11" rx="1.5" width="11" x="6.5" y="6.5" />);
export const DotsIcon = icon(<path d="M6 12h.01M12 12h.01M18 12h.01" strokeWidth={2.6} />);
export const PencilIcon = icon(<path d="m5 19 1-4L16.5 4.500l3 3L9 18zM14 7l3 3" />);
export const TrashIcon = icon(<path d="M5 7h14M10 7V4.500h4V7M7 7l1 13h8l1-13M10.5 11v5M13.5 11v5" />);
export const DownloadIcon = icon(<path d="M12 4v11M7 10.500l5 5 5-5M5 20h14" />);
export const CopyIcon = icon(
  <>
    <rect height="11" rx="2" width="11" x="9" y="9" />
    <path d="M5 15V6a2 2 0 0 1 2-2h8" />
  </>,
);
export const CheckIcon = icon(<path d="m5 12.5 4.5 4.500L19 7.5" />);
export const AlertIcon = icon(
  <>
    <path d="M12 4 2.8 19.500h18.400z" />
    <path d="M12 10v4.500M12 17h.01" />
  </>,
);
export const ListIcon = icon(<path d="M8 6h12M8 12h12M8 18h12M4 6h.01M4 12h.01M4 18h.01" />);
export const PauseIcon = icon(<path d="M9 6v12M15 6v12" strokeWidth={2.6} />);
export const PlayIcon = icon(<path d="M8 5.500v13l10.5-6.500z" fill="currentColor" />);
export const UserIcon = icon(
  <>
    <circle cx="12" cy="8.5" r="3.5" />
    <path d="M5 20c.6-4 3.4-5.5 7-5.500s6.4 1.5 7 5.5" />
  </>,
);
export const ShieldIcon = icon(
  <>
    <path d="M12 3.500 5 6v5.500c0 4.500 3 7.500 7 9 4-1.500 7-4.500 7-9V6z" />
    <path d="m9 12 2.200 2.200L15.500 10" />
  </>,
);
export const ToolIcon = icon(
  <path d="M14.500 6.500a4 4 0 0 0-5.200 5.200L4 17l3 3 5.300-5.300a4 4 0 0 0 5.200-5.200L15 12l-3-3z" />,
);
export const BrainIcon = icon(
  <path d="M12 5a3 3 0 0 0-5.500 1.600A3.500 3.500 0 0 0 5 13a3.500 3.500 0 0 0 4 5 3 3 0 0 0 3 1zm0 0a3 3 0 0 1 5.500 1.600A3.500 3.500 0 0 1 19 13a3.500 3.500 0 0 1-4 5 3 3 0 0 1-3 1z" />,
);
export const UsageIcon = icon(<path d="M4 20h16M7 16v-5M12 16V5M17 16V9" />);
export const TreeIcon = icon(<path d="M6 4v12a3 3 0 0 0 3 3h3M6 9h6M15 6.500h5v5h-5zM15 16.500h5v5h-5z" />);
export const RunsIcon = icon(
  <>
    <path d="M5 5h6M5 12h6M5 19h6" />
    <path d="m15 3.500 5 3.500-5 3.500zM15 15l5 3.500-5 3.500z" />
  </>,
);
export const BackIcon = icon(<path d="M19 12H5M11 6l-6 6 6 6" />);
