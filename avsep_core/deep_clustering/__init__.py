"""Audio-visual deep clustering (Lu, Duan and Zhang, 2019): lips settle who said what."""
