// What a plant would give under a cloudless sky: an estimate from its place, its tilt and its rated power, never a measurement. It knows no clouds, no
// shadows, no snow and no hills, and draws nothing.
//
// Position of the sun: the equations of the NOAA Solar Calculator (Global Monitoring Laboratory, after J. Meeus, Astronomical Algorithms), good to about
// 0.01° between 1900 and 2100. Clear sky: P. Ineichen and R. Perez, "A new airmass independent formulation for the Linke turbidity coefficient", Solar
// Energy 73 (2002), at sea level. Air mass: F. Kasten and A. Young (1989). Tilted plane: isotropic sky, B. Liu and R. Jordan (1963).

/** Where a plant stands and how its modules face; degrees, azimuth clockwise from north. */
export interface Aspect {
  latitude: number;
  longitude: number;
  tilt: number;
  azimuth: number;
}

/** Where the sun stands: degrees above the horizon with refraction, degrees clockwise from north, and its light outside the atmosphere in W/m². */
export interface SunPosition {
  elevation: number;
  azimuth: number;
  extraterrestrial: number;
}

/** Columns of equal length: UNIX seconds, and watts between which a clear day of the plant is expected. */
export interface ClearSkyBand {
  times: number[];
  low: number[];
  high: number[];
}

/** Light outside the atmosphere at the mean distance, W/m² (Kopp and Lean, 2011). */
const solarConstant = 1361;
/** Share of the light that the ground throws back: grass, gravel. */
const albedo = 0.2;
/** 2000-01-01T12:00:00Z in milliseconds since 1970. */
const j2000 = 946_728_000_000;

/** Linke turbidity of a hazy summer's day and of a clean day after a cold front. */
const turbidities = [5, 2] as const;
/**
 * Watts at the terminals for each rated watt under 1,000 W/m². Low: modules no larger than the inverter, warm and dusty. High: modules a quarter larger than
 * the inverter, cold and clean.
 */
const yields = { low: 0.7, high: 1.15 } as const;
/** A performance ratio is an average; the inverter's rating is a limit. */
const limit = 1;

const stepSeconds = 600;

/**
 * The band of a stretch of time, in steps of ten minutes with both ends. `from` and `to` are UNIX seconds. No figure is negative and none is above the rated
 * power.
 */
export function clearSkyBand(aspect: Aspect, ratedWatts: number, from: number, to: number): ClearSkyBand {
  const band: ClearSkyBand = { times: [], low: [], high: [] };
  for (let time = from; ; time = Math.min(to, time + stepSeconds)) {
    const sun = sunPosition(time, aspect.latitude, aspect.longitude);
    // On a plane that the sun does not reach haze is the brighter sky, hence both.
    const lights = turbidities.map((turbidity) => planeIrradiance(sun, turbidity, aspect.tilt, aspect.azimuth));
    band.times.push(time);
    band.low.push(ratedWatts * Math.min(limit, (yields.low * Math.min(...lights)) / 1000));
    band.high.push(ratedWatts * Math.min(limit, (yields.high * Math.max(...lights)) / 1000));
    if (time >= to) return band;
  }
}

/** Where the sun stands over a place at a UNIX second. */
export function sunPosition(time: number, latitude: number, longitude: number): SunPosition {
  const { declination, equationOfTime, distance } = ephemeris(time);
  const minutes = modulo(time / 60, 1440);
  const hourAngle = radians((minutes + equationOfTime + 4 * longitude) / 4 - 180);
  const place = radians(latitude);
  const sine = Math.sin(place) * Math.sin(declination) + Math.cos(place) * Math.cos(declination) * Math.cos(hourAngle);
  const elevation = degrees(Math.asin(Math.min(1, Math.max(-1, sine))));
  const fromSouth = Math.atan2(
    Math.sin(hourAngle) * Math.cos(declination),
    Math.cos(hourAngle) * Math.sin(place) * Math.cos(declination) - Math.sin(declination) * Math.cos(place),
  );
  return {
    elevation: elevation + refraction(elevation),
    azimuth: modulo(degrees(fromSouth) + 180, 360),
    extraterrestrial: solarConstant / distance ** 2,
  };
}

/** Light of a cloudless sky on a plane in W/m²: direct by its angle, sky and ground by the part of the dome that the plane sees. Dark when the sun is down. */
export function planeIrradiance(sun: SunPosition, turbidity: number, tilt: number, azimuth: number): number {
  if (sun.elevation <= 0) return 0;
  const sine = Math.sin(radians(sun.elevation));
  const { global, direct, diffuse } = clearSky(sun, sine, turbidity);
  const leaning = radians(tilt);
  const incidence =
    sine * Math.cos(leaning) + Math.cos(radians(sun.elevation)) * Math.sin(leaning) * Math.cos(radians(sun.azimuth - azimuth));
  return (
    direct * Math.max(0, incidence) +
    (diffuse * (1 + Math.cos(leaning))) / 2 +
    (global * albedo * (1 - Math.cos(leaning))) / 2
  );
}

/** Ineichen and Perez at sea level, where the altitude's factors are 1. */
function clearSky(sun: SunPosition, sine: number, turbidity: number) {
  const airMass = 1 / (sine + 0.50572 * (sun.elevation + 6.07995) ** -1.6364);
  const global = 0.868 * sun.extraterrestrial * sine * Math.exp(-0.0387 * airMass * turbidity);
  const beam = (0.664 + 0.163) * sun.extraterrestrial * Math.exp(-0.09 * airMass * (turbidity - 1));
  const share = 1 - (0.1 - 0.2 * Math.exp(-turbidity)) / (0.1 + 0.882);
  const direct = Math.max(0, Math.min(beam, (global * share) / sine));
  return { global, direct, diffuse: global - direct * sine };
}

/** The sun against the stars: declination in radians, true less mean solar time in minutes, distance in astronomical units. */
function ephemeris(time: number) {
  const t = (time * 1000 - j2000) / (86_400_000 * 36_525);
  const meanLongitude = radians(modulo(280.46646 + t * (36_000.76983 + 0.0003032 * t), 360));
  const anomaly = radians(357.52911 + t * (35_999.05029 - 0.0001537 * t));
  const eccentricity = 0.016708634 - t * (0.000042037 + 0.0000001267 * t);
  const centre = radians(
    Math.sin(anomaly) * (1.914602 - t * (0.004817 + 0.000014 * t)) +
      Math.sin(2 * anomaly) * (0.019993 - 0.000101 * t) +
      Math.sin(3 * anomaly) * 0.000289,
  );
  const node = radians(125.04 - 1934.136 * t);
  const longitude = meanLongitude + centre - radians(0.00569 + 0.00478 * Math.sin(node));
  const arcSeconds = 21.448 - t * (46.815 + t * (0.00059 - t * 0.001813));
  const obliquity = radians(23 + (26 + arcSeconds / 60) / 60 + 0.00256 * Math.cos(node));
  const y = Math.tan(obliquity / 2) ** 2;
  const equation =
    y * Math.sin(2 * meanLongitude) -
    2 * eccentricity * Math.sin(anomaly) +
    4 * eccentricity * y * Math.sin(anomaly) * Math.cos(2 * meanLongitude) -
    0.5 * y ** 2 * Math.sin(4 * meanLongitude) -
    1.25 * eccentricity ** 2 * Math.sin(2 * anomaly);
  return {
    declination: Math.asin(Math.sin(obliquity) * Math.sin(longitude)),
    equationOfTime: 4 * degrees(equation),
    distance: (1.000001018 * (1 - eccentricity ** 2)) / (1 + eccentricity * Math.cos(anomaly + centre)),
  };
}

/** How far the air lifts the sun, in degrees (NOAA's approximation). */
function refraction(elevation: number): number {
  const tangent = Math.tan(radians(elevation));
  if (elevation > 85) return 0;
  if (elevation > 5) return (58.1 / tangent - 0.07 / tangent ** 3 + 0.000086 / tangent ** 5) / 3600;
  if (elevation > -0.575) {
    return (1735 + elevation * (-518.2 + elevation * (103.4 + elevation * (-12.79 + elevation * 0.711)))) / 3600;
  }
  return -20.774 / tangent / 3600;
}

function radians(angle: number): number {
  return (angle * Math.PI) / 180;
}

function degrees(angle: number): number {
  return (angle * 180) / Math.PI;
}

/** The remainder that is never negative. */
function modulo(value: number, base: number): number {
  return ((value % base) + base) % base;
}
