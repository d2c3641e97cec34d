using System.Text;

namespace ResearchKit.Data.SentencePieces;

/// <summary>Trie of the pieces by their UTF-8 bytes.</summary>
internal sealed class PieceTable
{
    private readonly Dictionary<(int Node, byte Next), int> children = [];
    private readonly List<int> ids = [-1];

    public PieceTable(IEnumerable<(string Text, int Id)> pieces)
    {
        foreach (var (text, id) in pieces)
        {
            var node = 0;
            foreach (var value in Encoding.UTF8.GetBytes(text))
            {
                if (!children.TryGetValue((node, value), out var child))
                {
                    child = children[(node, value)] = ids.Count;
                    ids.Add(-1);
                }
                node = child;
            }
            if (ids[node] < 0) ids[node] = id;
        }
    }

    /// <summary>Returns the child node for the next byte, or -1.</summary>
    public int Step(int node, byte next) => children.TryGetValue((node, next), out var child) ? child : -1;

    /// <summary>Returns the id of the piece that ends at a node, or -1.</summary>
    public int At(int node) => ids[node];

    /// <summary>Returns the id of the piece with exactly this text, or -1.</summary>
    public int Find(ReadOnlySpan<byte> text)
    {
        var node = 0;
        foreach (var value in text)
        {
            node = Step(node, value);
            if (node < 0) return -1;
        }
        return ids[node];
    }
}
