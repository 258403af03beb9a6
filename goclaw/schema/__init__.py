"""The GraphQL door: types as windows on rows, and the transports of `/graphql`."""
