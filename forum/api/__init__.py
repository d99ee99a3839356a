"""The forum for programs: JSON at /api/, by the same rights, rules and acts as the pages.

An address here finds, asks and acts through what its page calls, and says the answer in the shapes
of `shapes`. Who asks is said by a token (`asking`) and by nothing else. What is refused is a
`Problem`, as everywhere; `service` turns it into a sentence with its status. `description` is the
whole of it as OpenAPI.
"""
