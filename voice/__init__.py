"""The phone: call webhooks, media streams, turn-taking, speech to text, text to speech, keypad."""
