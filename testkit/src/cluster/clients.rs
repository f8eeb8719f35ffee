//! How clients, which are no servers, reach a cluster. Partitions between servers leave them alone.

use labrpc::ClientEnd;

use super::Cluster;

impl<S: Send + Sync + 'static> Cluster<S> {
    /// Makes ends from the client of this name to every server, in order, all of them open. They
    /// stay open when a server restarts.
    ///
    /// # Panics
    /// If there is a client of this name.
    pub fn client_ends(&self, client: &str) -> Vec<ClientEnd> {
        let network = self.sim().network();
        let ends = (0..self.len()).map(|server| {
            let name = self.client_end(client, server);
            let end = network.make_end(&name);
            network.connect(&name, self.name(server));
            network.enable(&name);
            end
        });
        ends.collect()
    }

    /// Lets a client reach these servers.
    pub fn connect_client(&self, client: &str, servers: &[usize]) {
        let enable = |&server| self.sim().network().enable(&self.client_end(client, server));
        servers.iter().for_each(enable);
    }

    /// Keeps a client from reaching these servers.
    pub fn disconnect_client(&self, client: &str, servers: &[usize]) {
        let disable = |&server| self.sim().network().disable(&self.client_end(client, server));
        servers.iter().for_each(disable);
    }

    /// The name of a client's end.
    fn client_end(&self, client: &str, server: usize) -> String {
        format!("{client}>{}", self.name(server))
    }
}
