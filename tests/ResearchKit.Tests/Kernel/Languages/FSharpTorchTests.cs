using ResearchKit.Kernel.Cells;

namespace ResearchKit.Tests.Kernel.Languages;

[Collection(SharedFSharp.Name)]
public sealed class FSharpTorchTests(FSharpCells cells)
{
    [Fact]
    public async Task Tensors_are_created_indexed_assigned_and_printed()
    {
        await cells.RunAsync("#r \"nuget: TorchSharp, 0.1.0\"\nopen TorchSharp\nopen type "
            + "TorchSharp.TensorExtensionMethods\nopen type TorchSharp.torch.distributions");
        Assert.Equal(new long[] { 2, 3 }, await cells.ValueAsync("let t = torch.ones([| 2L; 3L |])\nt.shape"));
        Assert.Equal(12.0f, await cells.ValueAsync("let a = torch.full(4, 3, 1.0f.ToScalar())\n(a * "
            + "torch.tensor(1)).sum().item<single>()"));
        Assert.Equal(35, await cells.ValueAsync("let i = torch.zeros(4, 4, dtype = torch.int32)\ni.[0L, 0L] <- "
            + "torch.tensor(35)\ni.[0L, 0L].item<int>()"));
        Assert.StartsWith("[2x3]", await cells.TextAsync("torch.zeros(2, 3).print() |> ignore"), StringComparison.Ordinal);
        Assert.Equal(new long[] { 4, 4 },
            await cells.ValueAsync("Normal(torch.tensor(0.5f), torch.tensor(0.1f)).sample(4L, 4L).shape"));
        Assert.Contains("text/html",
            Assert.IsType<DisplayOutput>(Assert.Single((await cells.RunAsync("t.Display() |> ignore")).Outputs)).Data.Keys);
    }

    [Fact]
    public async Task A_module_written_in_a_cell_can_be_trained()
    {
        await cells.RunAsync("""
            open TorchSharp
            open type TorchSharp.torch
            open type TorchSharp.TensorExtensionMethods

            type Trivial() as this =
                inherit nn.Module<Tensor,Tensor>("Trivial")

                let lin1 = nn.Linear(10L, 8L)
                let lin2 = nn.Linear(8L, 2L)

                do
                    this.RegisterComponents()

                override _.forward(input) =
                    use x = lin1.forward(input)
                    use y = nn.functional.relu(x)
                    lin2.forward(y)
            """);
        var losses = await cells.ValueAsync("""
            torch.random.manual_seed(1L) |> ignore
            let model = Trivial()
            let x, y = rand(16, 10), rand(16, 2)
            let loss a b = nn.functional.mse_loss(a, b)
            let optimizer = torch.optim.Adam(model.parameters(), 0.01)
            let before = (loss (model.forward(x)) y).item<single>()

            for epoch = 1 to 100 do
                use scope = torch.NewDisposeScope()
                let output = loss (model.forward(x)) y
                model.zero_grad()
                output.backward()
                optimizer.step() |> ignore

            using(torch.no_grad()) (fun _ ->
                for param in model.parameters() do
                    match param.grad with
                    | null -> ()
                    | grad -> param.sub_(grad.mul(0.0f.ToScalar())) |> ignore
            )
            before, (loss (model.forward(x)) y).item<single>()
            """);
        var (before, after) = Assert.IsType<Tuple<float, float>>(losses);
        Assert.True(after < before / 2, $"the loss went from {before} to {after}");
        Assert.Equal(4, await cells.ValueAsync("model.state_dict().Count"));
    }

    [Fact]
    public async Task Types_of_the_kit_are_available()
    {
        Assert.Equal(65, await cells.ValueAsync("ResearchKit.Models.GptConfig.Nano.VocabularySize"));
        Assert.Equal(4, await cells.ValueAsync("let m = {| Width = 4 |}\nm.Width"));
    }
}
