using System.Text;

namespace ResearchKit.Data.SentencePieces;

/// <summary>
/// Finds the most probable segmentation of a text under a unigram model (Kudo, 2018, §3.2,
/// https://arxiv.org/abs/1804.10959), by Viterbi's algorithm.
/// </summary>
/// <param name="pieces">The vocabulary.</param>
/// <param name="table">The pieces by their text.</param>
/// <param name="unknown">The id of a character outside the vocabulary.</param>
/// <param name="isSingle">
/// Whether sums are stored in float32 and compared in float64, as in SentencePiece: it decides between segmentations with
/// equal scores. Hugging Face's tokenizers store them in float64.
/// </param>
internal sealed class UnigramPieces(IReadOnlyList<Piece> pieces, PieceTable table, int unknown, bool isSingle = true)
{
    private const double UnknownPenalty = 10;

    private readonly double lowest = pieces.Where(piece => piece.Kind == PieceKind.Normal)
        .Select(piece => piece.Score).DefaultIfEmpty().Min();
    // The reference starts its search for the largest score at the smallest positive float; scores are negative and leave it
    // there.
    private readonly double highest = pieces.Where(piece => piece.Kind == PieceKind.Normal).Select(piece => piece.Score)
        .Append(1.17549435e-38f).Max();

    public List<(int Start, int Length, int Id)> Cut(byte[] text)
    {
        var scores = new double[text.Length + 1];
        var starts = new int[text.Length + 1];
        var ids = new int[text.Length + 1];
        Array.Fill(starts, -1);
        for (var start = 0; start < text.Length;)
        {
            Rune.DecodeFromUtf8(text.AsSpan(start), out _, out var character);
            var alone = false;
            for (var (end, node) = (start, 0); end < text.Length;)
            {
                node = table.Step(node, text[end++]);
                if (node < 0) break;
                var id = table.At(node);
                if (id < 0 || pieces[id].Kind == PieceKind.Unused) continue;
                // A user-defined piece always scores higher than any segmentation of it.
                var score = pieces[id].Kind == PieceKind.UserDefined ? Stored((end - start) * highest) - 0.1 : pieces[id].Score;
                Offer(start, end, id, scores[start] + score);
                alone |= end - start == character;
            }
            if (!alone) Offer(start, start + character, unknown, Stored(scores[start] + Stored(lowest - UnknownPenalty)));
            start += character;
        }
        var result = new List<(int, int, int)>();
        for (var end = text.Length; end > 0; end = starts[end]) result.Add((starts[end], end - starts[end], ids[end]));
        result.Reverse();
        return result;

        void Offer(int start, int end, int id, double total)
        {
            if (starts[end] >= 0 && !(total > scores[end])) return;
            scores[end] = Stored(total);
            starts[end] = start;
            ids[end] = id;
        }
    }

    private double Stored(double sum) => isSingle ? (float)sum : sum;
}
