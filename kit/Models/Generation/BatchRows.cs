using static TorchSharp.torch;

namespace ResearchKit.Models;

/// <summary>The rows of a batch while they are generated: what each has written, and whether it has ended.</summary>
internal sealed class BatchRows : IDisposable
{
    private readonly SamplingOptions options;
    private readonly Sampler sampler;
    private readonly TokenHistory[] histories;
    private readonly List<GeneratedToken>[] written;
    private readonly bool[] finished;

    /// <param name="options">How tokens are chosen.</param>
    /// <param name="prompts">int64 [batch, time].</param>
    /// <param name="attentionMask">[batch, time], 0 = padding; null for none.</param>
    /// <param name="device">Device of the logits.</param>
    public BatchRows(SamplingOptions options, Tensor prompts, Tensor? attentionMask, Device device)
    {
        this.options = options;
        sampler = new Sampler(options, device);
        using var scope = NewDisposeScope();
        var time = (int)prompts.shape[1];
        var tokens = prompts.cpu().contiguous().data<long>().ToArray();
        var mask = attentionMask?.to(int64, CPU).contiguous().data<long>().ToArray();
        histories = [.. Enumerable.Range(0, (int)prompts.shape[0]).Select(row => new TokenHistory(
            Enumerable.Range(row * time, time).Where(at => mask is null || mask[at] != 0).Select(at => tokens[at])))];
        written = [.. histories.Select(_ => new List<GeneratedToken>())];
        finished = new bool[histories.Length];
    }

    /// <summary>Called with row and token after each one; true ends the row.</summary>
    public Func<int, GeneratedToken, bool>? Stops { get; init; }

    /// <summary>The new tokens of each row.</summary>
    public IReadOnlyList<IReadOnlyList<GeneratedToken>> Written => written;

    /// <summary>Returns whether a row goes on.</summary>
    public bool AnyUnfinished()
    {
        for (var row = 0; row < finished.Length; row++) finished[row] |= options.IsComplete(histories[row]);
        return finished.Contains(false);
    }

    /// <summary>Chooses the next token of each row; rows that have ended get padding.</summary>
    /// <param name="logits">[batch, vocabulary].</param>
    public IReadOnlyList<long> Choose(Tensor logits)
    {
        var next = new long[finished.Length];
        Array.Fill(next, options.PadToken);
        for (var row = 0; row < next.Length; row++)
        {
            if (finished[row]) continue;
            var token = sampler.Choose(logits[row], histories[row]);
            next[row] = token.Id;
            histories[row].Add(token.Id);
            written[row].Add(token);
            finished[row] = options.StopTokens.Contains(token.Id) || Stops?.Invoke(row, token) == true;
        }
        return next;
    }

    public void Dispose() => sampler.Dispose();
}
