using ResearchKit.Layers;
using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Models;

/// <summary>Reads a text token by token with an LSTM or GRU and says of each what comes next.</summary>
/// <remarks>All that it remembers is its state, whatever the length of the text; <see cref="Continue"/> carries it on.</remarks>
public sealed class RecurrentLanguageModel : Module<Tensor, Tensor>
{
    private readonly EmbeddingTable embedding;
    private readonly Dropout dropout;
    private readonly RecurrentLayer rnn;
    private readonly Dense? head;   // null where the embedding is the head

    /// <exception cref="ArgumentException">The configuration contradicts itself.</exception>
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

    /// <summary>The shape of the model.</summary>
    public RecurrentLanguageModelConfig Config { get; }

    /// <summary>Logits of each next token, read from an empty state.</summary>
    /// <param name="tokens">int64 [batch, time].</param>
    /// <returns>[batch, time, vocabulary].</returns>
    /// <exception cref="ArgumentException">Wrong shape or dtype.</exception>
    public override Tensor forward(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        return Head(Read(tokens, null).Output).MoveToOuterDisposeScope();
    }

    /// <summary>Logits of each next token, read on from a state, and the state after the last token.</summary>
    /// <param name="tokens">int64 [batch, time].</param>
    /// <param name="state">
    /// What an earlier call gave; null to begin. In training, detach it to end the gradient there (truncated backpropagation).
    /// </param>
    /// <returns>Logits [batch, time, vocabulary] and the state.</returns>
    /// <exception cref="ArgumentException">Wrong shape or dtype, or a state of another batch.</exception>
    public (Tensor Logits, RecurrentState State) Continue(Tensor tokens, RecurrentState? state = null)
    {
        using var scope = NewDisposeScope();
        var read = Read(tokens, state);
        return (Head(read.Output).MoveToOuterDisposeScope(), new RecurrentState(
            read.State.Hidden.MoveToOuterDisposeScope(), read.State.Cell?.MoveToOuterDisposeScope()));
    }

    /// <summary>The top layer's state at each token: all but the head.</summary>
    /// <param name="tokens">int64 [batch, time].</param>
    /// <returns>[batch, time, hidden].</returns>
    public Tensor Features(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        return Read(tokens, null).Output.MoveToOuterDisposeScope();
    }

    /// <summary>From states to logits.</summary>
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
