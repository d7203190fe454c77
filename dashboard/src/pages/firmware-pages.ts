// The pages of firmware, fetched as one: who opens one of them goes on to the next. It holds nothing of its own.

export { default as FirmwareDevicePage } from "./firmware-device-page.tsx";
export { default as FirmwarePage } from "./firmware-page.tsx";
export { default as FirmwareReleasePage } from "./firmware-release-page.tsx";
export { default as FirmwareRolloutPage } from "./firmware-rollout-page.tsx";
