// Built inside this project, whose own lockfile Next.js would otherwise take for the application's.
export default { turbopack: { root: import.meta.dirname } };
