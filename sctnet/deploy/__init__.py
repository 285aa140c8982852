"""From a trained segmentor to label maps, fast: see each module's first lines."""

from .network import Network, deploy_graph

__all__ = ['Network', 'deploy_graph']
