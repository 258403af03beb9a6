export function Logo({ size = 26 }: { size?: number }) {
  return (
    <svg aria-hidden="true" height={size} viewBox="0 0 32 32" width={size}>
      <rect fill="var(--mantine-primary-color-filled)" height="32" rx="8" width="32" />
      <g fill="none" stroke="#fff" strokeLinecap="round" strokeWidth="3">
        <path d="M9 7c-1 6 0 12 3 17" />
        <path d="M16 6c-1 6 0 12 2 18" />
        <path d="M23 7c0 6 0 11 1 15" />
      </g>
    </svg>
  );
}
