using System.Text;

namespace ResearchKit.Data.SentencePieces;

/// <summary>
/// Splits a text by repeatedly merging the best pair (Sennrich et al., 2016, https://arxiv.org/abs/1508.07909),
/// as in bpe_model.cc.
/// </summary>
internal sealed class BytePairPieces(IReadOnlyList<Piece> pieces, PieceTable table, PieceNormalizer normalizer, int unknown)
{
    public List<(int Start, int Length, int Id)> Cut(byte[] text)
    {
        var symbols = Symbols(text);
        var agenda = new PriorityQueue<(int Left, int Right, int Length), (float Score, int Left)>(
            Comparer<(float Score, int Left)>.Create((one, other) => one.Score != other.Score ? other.Score.CompareTo(one.Score)
                : one.Left.CompareTo(other.Left)));
        // split point of each merged piece of kind "unused", which is split again at the end
        var parts = new Dictionary<(int Start, int Length), int>();
        for (var right = 1; right < symbols.Count; right++) Consider(right - 1, right);
        while (agenda.TryDequeue(out var pair, out _))
        {
            var left = symbols[pair.Left];
            var right = symbols[pair.Right];
            if (left.Length == 0 || right.Length == 0 || left.Length + right.Length != pair.Length) continue;
            symbols[pair.Left] = left with { Length = pair.Length, Next = right.Next };
            symbols[pair.Right] = right with { Length = 0 };
            if (right.Next >= 0) symbols[right.Next] = symbols[right.Next] with { Previous = pair.Left };
            Consider(left.Previous, pair.Left);
            Consider(pair.Left, right.Next);
        }
        var result = new List<(int, int, int)>();
        for (var at = symbols.Count > 0 ? 0 : -1; at >= 0; at = symbols[at].Next) Emit(symbols[at].Start, symbols[at].Length);
        return result;

        void Consider(int left, int right)
        {
            if (left < 0 || right < 0 || symbols[left].Frozen || symbols[right].Frozen) return;
            var start = symbols[left].Start;
            var length = symbols[left].Length + symbols[right].Length;
            var id = table.Find(text.AsSpan(start, length));
            if (id < 0) return;
            agenda.Enqueue((left, right, length), ((float)pieces[id].Score, left));
            if (pieces[id].Kind == PieceKind.Unused) parts[(start, length)] = symbols[left].Length;
        }

        void Emit(int start, int length)
        {
            var id = table.Find(text.AsSpan(start, length));
            if (id >= 0 && pieces[id].Kind == PieceKind.Unused && parts.TryGetValue((start, length), out var first))
            {
                Emit(start, first);
                Emit(start + first, length - first);
            }
            else
            {
                result.Add((start, length, id < 0 ? unknown : id));
            }
        }
    }

    private List<Symbol> Symbols(byte[] text)
    {
        var symbols = new List<Symbol>();
        for (var start = 0; start < text.Length;)
        {
            var whole = normalizer.WholePiece(text.AsSpan(start));
            var length = whole;
            if (whole == 0) Rune.DecodeFromUtf8(text.AsSpan(start), out _, out length);
            symbols.Add(new Symbol(start, length, symbols.Count - 1,
                start + length < text.Length ? symbols.Count + 1 : -1, whole > 0));
            start += length;
        }
        return symbols;
    }

    private readonly record struct Symbol(int Start, int Length, int Previous, int Next, bool Frozen);
}
