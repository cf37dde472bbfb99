"""The simulated carrier: places calls, follows TwiML, and carries sound by Twilio's Media Streams.

It knows nothing but Twilio's public contract. A call has two ends: the carrier (`Carrier`, in the sandbox's process),
which asks the webhook and follows its documents, and a phone (`Phone`), which speaks, listens and presses keys. A phone
is in the same process (`LocalPhone`, for tests), or elsewhere and told by HTTP what to do (`RemotePhone` here,
`handset` in a terminal, `phone.js` in a browser).
"""
