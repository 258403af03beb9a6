"""The door for clients of the published HTTP interface and of OpenAI's."""
