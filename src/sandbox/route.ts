interface RouteMatch {
  matches: boolean
  params: Record<string, string>
}

/**
 * A path for msw's handlers, on any host: `/api/v2/conversations/:id/end/`. msw's own paths take a missing final
 * slash for the same path and fail on a percent sign that is no escape; this API does neither.
 */
export function at(path: string): (call: { request: Request }) => RouteMatch {
  const pattern = new RegExp(`^[a-z]+://[^/]+${path.replace(/:(\w+)/g, '(?<$1>[^/?#]+)')}(?:[?#].*)?$`)
  return ({ request }) => {
    const found = pattern.exec(request.url)
    if (!found) return { matches: false, params: {} }
    try {
      return { matches: true, params: decoded(found.groups ?? {}) }
    } catch {
      return { matches: false, params: {} }
    }
  }
}

function decoded(groups: Record<string, string>): Record<string, string> {
  const params: Record<string, string> = {}
  for (const [name, value] of Object.entries(groups)) {
    // A new string: a slice of the URL would keep the whole URL in memory for as long as the ID is remembered.
    params[name] = Buffer.from(decodeURIComponent(value)).toString()
  }
  return params
}
