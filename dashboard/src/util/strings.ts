// Every text a person reads, in one place so that it can be translated. It deliberately formats no number and no date: those arrive as strings.

export const text = {
  product: "WattWitness",
  title: (power: string) => `${power} · WattWitness`,
  skipToContent: "Skip to content",

  theme: {
    label: "Theme",
    system: "Follow the system",
    light: "Light",
    dark: "Dark",
  },

  stream: {
    live: "Live",
    connecting: "Connecting",
    lost: "Reconnecting",
    liveSince: (time: string) => `Newest value received ${time}`,
    bannerOffline: (time: string) => `This device is offline. Figures are as of ${time}.`,
    bannerLost: (time: string) => `No connection to the gateway. Figures are as of ${time}.`,
    bannerNever: "No connection to the gateway.",
    retryIn: (duration: string) => `Next try in ${duration}`,
    retrying: "Trying now",
    tryNow: "Try now",
  },

  park: {
    heading: "Power now",
    ofRated: (percent: string, rated: string) => `${percent} of ${rated} rated`,
    rated: (rated: string) => `${rated} rated`,
    meters: (counted: number, all: number) =>
      counted === all
        ? `${all === 1 ? "1 meter" : `All ${String(all)} meters`} counted`
        : `${String(counted)} of ${String(all)} meters counted`,
    newest: (time: string) => `Newest reading ${time}`,
    asOf: (time: string) => `As of ${time}`,
    noPower: "No meter is reporting",
    gauge: "Power now, as a share of rated power",
  },

  energy: {
    heading: "Energy produced",
    today: "Today",
    month: (month: string) => month,
    lifetime: "Lifetime",
    average: (energy: string) => `7-day average ${energy}`,
    monthNote: "This month so far",
    lifetimeNote: (count: number) => (count === 1 ? "From 1 meter" : `From ${String(count)} meters`),
    missing: (count: number) =>
      count === 1 ? "1 meter’s energy could not be read" : `Energy of ${String(count)} meters could not be read`,
  },

  meters: {
    heading: (day: string) => `Today, ${day}`,
    zone: (zone: string) => `Times in ${zone}`,
    zones: "Times in each site’s own zone",
    now: "Now",
    today: "Today",
    at: (time: string) => `At ${time}`,
    noReading: "No reading",
    rated: "rated",
    gap: "no readings",
    empty: "No readings yet today",
    chart: (name: string, peak: string, at: string, gaps: string) => `${name}, power today. Peak ${peak} at ${at}. ${gaps}`,
    chartEmpty: (name: string) => `${name}, power today. No readings yet.`,
    gaps: (count: number) => (count === 0 ? "No gaps." : count === 1 ? "1 gap." : `${String(count)} gaps.`),
    failed: "The curve could not be loaded.",
    noneLive: "Waiting for the first reading",
  },

  state: {
    name: {
      live: "Live",
      late: "Late",
      silent: "Silent",
      waiting: "Waiting for approval",
      revoked: "Revoked",
      never: "No reading yet",
    },
    since: (time: string) => `since ${time}`,
    why: {
      live: (cadence: string) => `Reads every ${cadence}.`,
      late: (last: string, cadence: string) => `Last reading ${last}; one is expected every ${cadence}.`,
      silent: (last: string) => `Last reading ${last}. Check the meter’s power and network.`,
      waiting: (fingerprint: string) => `Compare its fingerprint ${fingerprint} with the meter’s, then approve it.`,
      revoked: () => "Its key is no longer accepted. Earlier readings stay valid.",
      never: () => "Approved. Nothing has arrived yet.",
    },
  },

  records: {
    heading: "Latest records",
    explain: "Each row is one reading as its meter signed it. Open a row to see the bytes.",
    allMeters: "All meters",
    filter: "Show records of",
    time: "Time",
    meter: "Meter",
    power: "Power",
    total: "Counter",
    signature: "Signature",
    open: (time: string, meter: string) => `Record of ${time}, ${meter}`,
    held: (newer: number) =>
      newer === 0 ? "List held while a record is open" : `List held while a record is open · ${String(newer)} newer`,
    resume: "Close and resume",
    none: "No records yet. The first arrives with the meter’s first reading.",
    failed: "The records could not be loaded.",
    failedPoll: "failed poll",
    gone: "This record could not be found. It may be older than the gateway keeps.",
  },

  signature: {
    own: {
      name: "Own signature",
      short: "Own",
      explain: "Verified by its own signature: the gateway checked these bytes against the meter’s public key.",
    },
    sealed: {
      name: "Sealed in a window",
      short: "Sealed",
      explain: "Verified in a sealed window: this record is a leaf under a root that the meter signed.",
    },
    unverified: {
      name: "Unverified import",
      short: "Unverified",
      explain: "Imported from an older system without a valid signature. It counts in no total.",
    },
  },

  record: {
    bytes: (count: number) => `Signed bytes (${String(count)})`,
    undecoded: "These bytes are not a reading of a version this page knows. They are shown as they are.",
    noBytes: "An imported row has no signed bytes.",
    offset: "Byte",
    field: "Field",
    hex: "Hex",
    value: "Value",
    absent: "absent",
    none: "none",
    signature: "Signature (r, s)",
    window: "Window",
    leaf: (index: number, count: number) => `Leaf ${String(index + 1)} of ${String(count)}`,
    root: "Root",
    path: "Path to the root",
    reading: "Reading",
    received: "Received",
    onChain: "On chain",
    notOnChain: "Not yet",
    copy: "Copy as JSON",
    copied: "Copied",
    link: "Open as JSON",
    loading: "Loading the record",
    fields: {
      type: "Type",
      version: "Version",
      meter: "Meter id",
      boot: "Boot",
      sequence: "Sequence",
      utc: "Time (UTC)",
      uptime: "Uptime",
      timeQuality: "Time quality",
      power: "Power",
      importTotal: "Import total",
      exportTotal: "Export total",
      counterEpoch: "Counter epoch",
      produced: "Produced",
      voltage: "Voltage",
      current: "Current",
      reactivePower: "Reactive power",
      temperature: "Temperature",
      flags: "Flags",
    },
    timeQuality: ["Unknown", "Informative", "Synchronised", "Relative"],
    flags: [
      "sensor unreachable",
      "sensor says invalid",
      "wrong sensor",
      "sensor answer malformed",
      "queued",
      "recovered",
      "counter fell",
      "increment refused",
      "increment pending",
      "clock stepped",
      "sensor clock unset",
      "sensor clock differs",
    ],
    readingTypes: ["Reading", "Three-phase reading"],
  },

  empty: {
    heading: "No meter yet",
    lead: "Bring in the first one with three commands: make its key, start it beside your Shelly, approve it here.",
    steps: [
      {
        title: "Make the meter’s key",
        note: "On the machine that will read the Shelly. The private key never leaves it.",
        command: () => "wattwitness keys new --out meter.key",
      },
      {
        title: "Start the meter",
        note: "Put your Shelly’s address in. The meter announces itself and waits.",
        command: (origin: string) => `wattwitness meter --shelly http://192.168.1.40 --gateway ${origin} --key meter.key`,
      },
      {
        title: "Approve it",
        note: "On the gateway. Compare the fingerprint that both print, then enrol.",
        command: (origin: string) => `wattwitness enrol --gateway ${origin} --key admin.key`,
      },
    ],
    waiting: "This page shows the meter as soon as it announces itself.",
    copy: (title: string) => `Copy command: ${title}`,
  },

  problem: {
    unreachable: "The gateway does not answer",
    unreachableDetail: "Check that it is running and that this device is on its network.",
    unexpected: (status: number) => `The gateway answered ${String(status)}`,
    retry: "Try again",
    crashed: "This part of the page failed",
    crashedDetail: "Your data is safe: nothing is written here. Reload the page to go on.",
    reload: "Reload",
  },

  notFound: {
    heading: "There is no such page",
    back: "Go to the park",
  },

  footer: {
    claim: "Every figure comes from records that the meters signed. You need not take this page’s word for it.",
    api: "API and documents",
  },

  loading: "Loading",
} as const;
