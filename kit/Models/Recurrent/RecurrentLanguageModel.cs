using ResearchKit.Layers;
using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Models;

/// <summary>A language model with an LSTM or GRU.</summary>
/// <remarks>
/// Its memory is a state of constant size, whatever the length of the text; <see cref="Continue"/> carries it
/// on.
/// </remarks>
public sealed class RecurrentLanguageModel : Module<Tensor, Tensor>
{
    private readonly EmbeddingTable embedding;
    private readonly Dropout dropout;
    private readonly RecurrentLayer rnn;
    private readonly Dense? head;   // null if the output layer shares the embeddings' weight

    /// <exception cref="ArgumentException">The configuration is inconsistent.</exception>
    public RecurrentLanguageModel(RecurrentLanguageModelConfig config) : base(nameof(RecurrentLanguageModel))
    {
        Config = config.Validated();
        embedding = new EmbeddingTable(config.VocabularySize, config.EmbeddingWidth,
            deviation: 1)
        { Unembeds = config.TiedEmbedding };
        init.uniform_(embedding.weight, -0.1, 0.1);
        dropout = Dropout(config.Dropout);
        rnn = config.Cell.Make(new RecurrentShape
        {
            InputWidth = config.EmbeddingWidth,
            HiddenWidth = config.HiddenWidth,
            Layers = config.Layers,
            HasBias = config.HasRecurrentBias,
            Dropout = config.Dropout,
        });
        head = config.TiedEmbedding ? null : new Dense(config.HiddenWidth, config.VocabularySize);
        RegisterComponents();
    }

    /// <summary>Configuration of the model.</summary>
    public RecurrentLanguageModelConfig Config { get; }

    /// <summary>Returns the logits of the next token at each position, starting from an empty state.</summary>
    /// <param name="tokens">int64 [batch, time].</param>
    /// <returns>[batch, time, vocabulary].</returns>
    /// <exception cref="ArgumentException">Wrong shape or dtype.</exception>
    public override Tensor forward(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        return Head(Read(tokens, null).Output).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Returns the logits of the next token at each position, starting from a given state, and the state after the
    /// last token.
    /// </summary>
    /// <param name="tokens">int64 [batch, time].</param>
    /// <param name="state">
    /// State returned by an earlier call; null to start. In training, detach it to stop the gradient there
    /// (truncated backpropagation).
    /// </param>
    /// <returns>Logits [batch, time, vocabulary] and the state.</returns>
    /// <exception cref="ArgumentException">Wrong shape or dtype, or the state has another batch size.</exception>
    public (Tensor Logits, RecurrentState State) Continue(Tensor tokens, RecurrentState? state = null)
    {
        using var scope = NewDisposeScope();
        var read = Read(tokens, state);
        return (Head(read.Output).MoveToOuterDisposeScope(), new RecurrentState(
            read.State.Hidden.MoveToOuterDisposeScope(), read.State.Cell?.MoveToOuterDisposeScope()));
    }

    /// <summary>Returns the top layer's state at each token: the model without its head.</summary>
    /// <param name="tokens">int64 [batch, time].</param>
    /// <returns>[batch, time, hidden].</returns>
    public Tensor Features(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        return Read(tokens, null).Output.MoveToOuterDisposeScope();
    }

    /// <summary>Computes logits from states.</summary>
    /// <param name="features">[batch, time, hidden].</param>
    /// <returns>[batch, time, vocabulary].</returns>
    public Tensor Head(Tensor features)
    {
        using var scope = NewDisposeScope();
        var kept = dropout.call(features);
        return (head is null ? embedding.Unembed(kept) : head.call(kept)).MoveToOuterDisposeScope();
    }

    private RecurrentOutput Read(Tensor tokens, RecurrentState? state)
    {
        tokens.Axes2("tokens [batch, time]");
        if (tokens.dtype != ScalarType.Int64)
            throw new ArgumentException($"Tokens are {tokens.dtype}; expected Int64.", nameof(tokens));
        return rnn.Read(dropout.call(embedding.call(tokens)), state: state);
    }
}
