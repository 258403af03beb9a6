import { ActionIcon, Menu, type MantineColorScheme, useMantineColorScheme } from "@mantine/core";
import { AutoIcon, CheckIcon, MoonIcon, SunIcon } from "../kit/icons";

const schemes: { value: MantineColorScheme; label: string; icon: typeof SunIcon }[] = [
  { value: "light", label: "Light", icon: SunIcon },
  { value: "dark", label: "Dark", icon: MoonIcon },
  { value: "auto", label: "As the system", icon: AutoIcon },
];

export function SchemeToggle() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const Current = schemes.find(({ value }) => value === colorScheme)?.icon ?? AutoIcon;
  return (
    <Menu position="bottom-end" width={180}>
      <Menu.Target>
        <ActionIcon aria-label="Light or dark" color="gray" size="lg" variant="subtle">
          <Current />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {schemes.map(({ value, label, icon: Icon }) => (
          <Menu.Item
            aria-checked={value === colorScheme}
            key={value}
            leftSection={<Icon />}
            onClick={() => setColorScheme(value)}
            rightSection={value === colorScheme ? <CheckIcon size={16} /> : null}
            role="menuitemradio"
          >
            {label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
